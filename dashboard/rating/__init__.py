"""The rating screen: where raters answer, apart from the dashboard.

It is plain HTTP beside Streamlit, because an answer must be on disk in milliseconds and because a
rater may see nothing else: `python -m pipeline rate` serves it without the dashboard.
"""
