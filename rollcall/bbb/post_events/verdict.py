"""What an answer means for the next try.

Moodle (4.5, observed) writes down that it has a meeting before it looks at the people, and answers 202 from then on. So
sending a meeting again can credit nobody twice; but two requests at the same moment may lose it, which is why a try
after one that broke off waits for minutes. Rollcall holds a record once however often it comes.
"""

from __future__ import annotations

from rollcall.bbb.post_events.posting import Answer

DONE = "done"
GONE = "gone"  # for good: the activity was deleted
LATER = "later"  # it will pass by itself
FAULT = "fault"  # an operator has to mend something; tried again more slowly
HELD = "held"  # sending it again by itself could do no good; --resend does
UNCLEAR = "unclear"  # the probe must tell

_AUTHORIZATION = (
    ("authorization failed", "its web server did not hand the Authorization header on; --check shows the mend"),
    ("signature verification failed", "the LMS knows another shared secret than this host"),
    ("expired token", "the clocks of this host and of the LMS are apart"),
    ("cannot handle token", "the clocks of this host and of the LMS are apart"),
    ("incorrect key", "the LMS wants another kind of signature"),
    ("algorithm not supported", "the LMS wants another kind of signature"),
    ("wrong number of segments", "something on the way has changed the Authorization header"),
)
_DATABASE = "error writing to database"


class Verdict:
    """What to do, and the sentence that says so."""

    __slots__ = ("kind", "said")

    def __init__(self, kind: str, said: str) -> None:
        self.kind = kind
        self.said = said


def judge(destination: str, answer: Answer) -> Verdict:
    """What this answer of "lms" or "rollcall" means."""
    if answer.status == 0:
        return Verdict(LATER, answer.phrase)
    said = f"{answer.status} {answer.phrase}".strip()
    if destination == "rollcall" and answer.code():
        return _judge_rollcall(answer, said)
    if answer.status in {400, 404} and destination == "lms":
        return _judge_refusal(answer, said)
    return _judge_status(answer.status, said)


def _judge_status(status: int, said: str) -> Verdict:
    if 200 <= status < 300:
        return Verdict(DONE, said)
    if status == 410:
        return Verdict(GONE, f"{said}: the activity is gone")
    if status in {408, 425, 429} or status >= 500:
        return Verdict(LATER, said)
    if 300 <= status < 400:
        return Verdict(FAULT, f"{said}: the address leads elsewhere, and a redirect would lose the signature")
    if status == 413:
        return Verdict(HELD, f"{said}: the web server there wants a higher limit for request bodies")
    return Verdict(FAULT, said)


def _judge_refusal(answer: Answer, said: str) -> Verdict:
    phrase = answer.phrase.lower()
    for words, meaning in _AUTHORIZATION:
        if words in phrase:
            return Verdict(FAULT, f"{said}: {meaning}")
    if _DATABASE in phrase:
        return Verdict(HELD, f"{said}: it may have taken in some people only, and takes no second post")
    return Verdict(UNCLEAR, said)


def judge_by_probe(said: str, probed: Answer) -> Verdict:
    """A refusal without a known phrase: whoever takes the probe as he should has refused the content."""
    if probed.status == 410:
        return Verdict(
            HELD, f"{said}: address and signature are right, so it may have failed half-way; it takes no second post"
        )
    if probed.status == 0 or probed.status >= 500:
        return Verdict(LATER, f"{said}, and then {probed.phrase}")
    return Verdict(
        FAULT, f"{said}: the address or the signature is wrong, or the Authorization header is lost on the way"
    )


def _judge_rollcall(answer: Answer, said: str) -> Verdict:
    sentence = f"{said}, {answer.code()}: {answer.message()}".rstrip(": ")
    code = answer.code()
    if 200 <= answer.status < 300:
        return Verdict(DONE, said if code != "not-captured" else f"{said}: Rollcall was told not to capture this")
    if code == "incomplete" or answer.status >= 500 or answer.status == 429:
        return Verdict(LATER, sentence)
    if answer.status == 413 or code == "not-understood":
        return Verdict(HELD, sentence)
    return Verdict(FAULT, sentence)
