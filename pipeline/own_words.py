"""Common picturable English words, for studies that bring no norms.

Chosen by hand among words said to young children; a file of norms in the study always goes first.
A word stands where it belongs most often, whatever the sentence.
"""

from __future__ import annotations

OWN_LIST = "Coview's list of common picturable English words"

_NOUNS = """
airplane animal apple arm baby backpack bag ball balloon banana basket bath bathtub beach bean
bear bed bee belly bench berry bib bicycle bike bird blanket block boat book boot bottle bowl
box boy bread broccoli broom brush bubble bucket bug bunny bus butter butterfly button cake
camera can candle candy car carrot cat ceiling cereal chair cheese chicken child chin clock
closet cloud coat coffee coin computer cookie couch cow crab cracker crayon crib cup curtain dad
daddy deer desk diaper dinosaur dish dog doll door dragon drawer dress drink drum duck ear egg
elephant eye face fan farm fence finger fire fish flag floor flower food foot fork frog fruit
game garden giraffe girl glass glove goat grandma grandpa grape grass guitar hair hammer hand
hat head heart helmet hill hippo horse house ice jacket jar juice key keyboard kitchen kite
kitten knee knife ladder lamp leaf leg lemon letter light lion lip mailbox man mat milk mirror
mitten mommy monkey moon mop mountain mouse mouth mug nail napkin neck nest nose orange oven owl
page paint pajamas pan pants paper park pasta pea pear pen pencil penguin pepper person phone
photo piano picture pig pillow pizza plant plate playground pocket pool pot potato puppy puzzle
rabbit rain rice ring road robot rock roof room rope rug sand sandwich scarf scissors shark
sheep shelf shirt shoe shorts shoulder shovel shower sidewalk sink sky slide snake snow soap
sock sofa soup spider spoon square squirrel stairs star stick stone stove straw strawberry
street stroller sun swing table tail teddy telephone television tent tiger toast toe toilet
tomato tongue tooth toothbrush towel tower toy tractor train trash tree triangle truck tummy
turtle tv umbrella wagon wall washcloth water watermelon whale wheel whistle window wolf woman
wood worm yogurt zebra zipper zoo
"""
_VERBS = """
bite blow bounce break bring build carry catch chase clap clean climb close color cook crawl cry
cut dance draw drink drive drop eat fall feed find fly get give go hide hit hold hop hug jump
kick kiss laugh lick listen look open pick play point pour pull push put read ride roll run say
see share show sing sit sleep slide smell splash stand stop swim swing take taste tell throw
tickle touch turn walk wash wave wear wipe write
"""
_ADJECTIVES = """
bad big black blue brown clean cold dirty dry empty fast full funny good gray green happy hard
heavy high hot large little long loud nice old open pink pretty purple red round sad short silly
sleepy slow small soft tall tiny warm wet white yellow young yummy
"""

PARTS: dict[str, str] = {
    **dict.fromkeys(_ADJECTIVES.split(), "adjective"),
    **dict.fromkeys(_VERBS.split(), "verb"),
    **dict.fromkeys(_NOUNS.split(), "noun"),
}
"""Lemma -> part of speech; what can be a noun is one."""

PICTURABLE = frozenset(_NOUNS.split())
"""Lemmas of things that can be seen."""
