"""The person's own words turned round: whole, grammatical, or not at all."""

import re

import pytest

from voice_agent.thinking import knowledge
from voice_agent.thinking.responder.clauses import Grammar
from voice_agent.thinking.responder.mirror import Mirror

TURNED = """
My boss yelled at me. | your boss yelled at you
My boss yelled at me in front of everyone! | your boss yelled at you in front of everyone
I'm moving to Berlin | you're moving to Berlin
we lost our house in june | you lost your house in June
because I've failed my exam | you've failed your exam
She told me she hates my cooking | she told you she hates your cooking
me and my sister had a huge fight | you and your sister had a huge fight
my sister and i had a huge fight | you and your sister had a huge fight
he was rude to my sister and me | he was rude to you and your sister
my wife and I are expecting a baby | you and your wife are expecting a baby
me and my brother don't talk | you and your brother don't talk
a friend of mine died last week | a friend of yours died last week
that money was mine | that money was yours
I was late again | you were late again
i wasn't invited to the party | you weren't invited to the party
I never was good at math | you never were good at math
i lost my job and was evicted | you lost your job and were evicted
I got sick and am stuck at home | you got sick and are stuck at home
I am so tired of this | you are so tired of this
I blame myself for the accident | you blame yourself for the accident
we did it all by ourselves | you did it all by yourselves
the doctor gave us bad news | the doctor gave you bad news
our landlord raised the rent | your landlord raised the rent
he said I was lazy | he said you were lazy
my mom thinks I should quit my job | your mom thinks you should quit your job
my teacher told me I would never pass | your teacher told you you would never pass
she told me that she needs a break from us | she told you that she needs a break from you
I feel like nobody cares about me | you feel like nobody cares about you
i can't believe my own brother stole money from me | you can't believe your own brother stole \
money from you
I know my parents are disappointed in me | your parents are disappointed in you
anna left me for my best friend | Anna left you for your best friend
my brother kevin got into law school | your brother Kevin got into law school
My neighbor's dog keeps barking all night | your neighbor's dog keeps barking all night
someone broke into my car and stole my laptop | someone broke into your car and stole your laptop
The company fired me after ten years | the company fired you after ten years
my best friend from work told everyone my secret | your best friend from work told everyone \
your secret
there was a fire in our building | there was a fire in your building
my parents are getting divorced | your parents are getting divorced
my daughter took her first steps today | your daughter took her first steps today
I have been studying all week for my exam | you have been studying all week for your exam
I dropped my phone in the toilet | you dropped your phone in the toilet
my old dog was put to sleep on monday | your old dog was put to sleep on Monday
i got the promotion i wanted | you got the promotion you wanted
my husband forgot our anniversary | your husband forgot your anniversary
I found a wallet and gave it back | you found a wallet and gave it back
nobody came to my birthday | nobody came to your birthday
no one at work talks to me | no one at work talks to you
i just moved here for my job | you just moved here for your job
I've been feeling down since my breakup | you've been feeling down since your breakup
i'll lose my apartment next month | you'll lose your apartment next month
My son's teacher called me today | your son's teacher called you today
they gave my promotion to somebody else | they gave your promotion to somebody else
i yelled at my kids this morning | you yelled at your kids this morning
my girlfriend is moving away for college | your girlfriend is moving away for college
I saw my ex with another woman | you saw your ex with another woman
a stranger paid for my groceries | a stranger paid for your groceries
my grandma used to bake with me | your grandma used to bake with you
I watched TV with my dad | you watched TV with your dad
i hate myself for lying to her | you hate yourself for lying to her
all my friends are married | all your friends are married
I cheated on my test | you cheated on your test
my boss wants me to work every weekend | your boss wants you to work every weekend
i think my cat is dying | you think your cat is dying
two of my coworkers got laid off | two of your coworkers got laid off
He won't talk to me anymore | he won't talk to you anymore
"""

SEVERAL = """
i was late and my wife was angry with me | you were late | your wife was angry with you
my dog died yesterday i can't stop crying | your dog died yesterday | you can't stop crying
my parents are getting divorced and they want me to choose | your parents are getting divorced | \
they want you to choose
Well, my flight got canceled. I missed my own wedding! | your flight got canceled | you missed \
your own wedding
i failed my math exam i am an idiot | you failed your math exam | you are an idiot
i'm sad because my roommate ate my food | your roommate ate your food
"""

LEFT_ALONE = """
if i lost my job
maybe my wife left me
my the the boss
i went to the
what my boss said
i think you are nice
my old house
i um went to uh school
he said i am leaving
he said i'm sorry
she was like i don't care
the doctor said i need surgery
oh my god
let me think about it
tell me about my sister
did i tell my mother
why does my boss hate me
how my mother treats me
was i wrong about my brother
i is going to my house
my of the dog in
she the wed are in to my
i i lost my job
me am going to my school
could i ask my doctor
going to see my mother
the my dog was ran
i wonder my wife doesn't understand
I read it and was impressed
unless my boss calls me
i moved to a new city i have no friends here
"""


@pytest.fixture(scope="module")
def mirror() -> Mirror:
    return Mirror(knowledge.load("language"))


def pairs(table: str) -> list[list[str]]:
    return [[one.strip() for one in line.split("|")] for line in table.strip().splitlines()]


def without_marks(text: str) -> str:
    """As a recogniser gives it."""
    return re.sub(r"[^\w' ]", "", text.lower())


@pytest.mark.parametrize(("said", "turned"), pairs(TURNED))
def test_a_clause_is_turned_round(mirror: Mirror, said: str, turned: str):
    assert mirror.clauses(said) == [turned]


@pytest.mark.parametrize(("said", "turned"), pairs(TURNED))
def test_it_needs_no_capitals_and_no_marks(mirror: Mirror, said: str, turned: str):
    heard = mirror.clauses(without_marks(said))
    assert [one.lower() for one in heard] == [turned.lower()]


@pytest.mark.parametrize("entry", pairs(SEVERAL))
def test_each_clause_is_turned_round_for_itself(mirror: Mirror, entry: list[str]):
    said, *turned = entry
    assert mirror.clauses(said) == turned


@pytest.mark.parametrize("said", LEFT_ALONE.strip().splitlines())
def test_what_is_not_surely_whole_true_or_heard_right_is_left_alone(mirror: Mirror, said: str):
    assert mirror.clauses(said) == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("my boss yelled at me", "their boss yelled at them"),
        ("i was late for my own wedding", "they were late for their own wedding"),
        ("me and my sister had a fight", "they and their sister had a fight"),
        ("i'm proud of myself", "they're proud of themselves"),
        ("a friend of mine died", "a friend of theirs died"),
    ],
)
def test_it_can_be_told_of_them_too(mirror: Mirror, said: str, told: str):
    (clause,) = Grammar(knowledge.load("language")).clauses(said)
    assert mirror.turned(clause, "they") == told


def test_nothing_of_the_first_person_is_ever_left(mirror: Mirror):
    for said, *_ in pairs(TURNED) + pairs(SEVERAL):
        for turned in mirror.clauses(said):
            words = set(turned.lower().split())
            assert not words & {"i", "i'm", "i've", "me", "my", "mine", "myself", "we", "us", "our"}
            assert not re.search(r"\byou (am|was|is|has)\b", turned)
