"""Find faces in pictures, follow them over a film and make them unrecognisable.

A courtesy for people who look on, never anonymisation: faces are missed, and voices, rooms and
bodies stay as they are.
"""
