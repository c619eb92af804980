"""What went wrong, in words for the person it happened to: what, whose fault, charged or not, what to do."""

from dataclasses import dataclass
from typing import Literal

from editor.models import Allowance, GenerationJob, JobState

Remedy = Literal["run_again", "change", "choose", "wait"]
Fault = Literal["yours", "ours", "theirs", "nobody's"]


@dataclass(frozen=True)
class Failure:
    sentence: str
    fault: Fault
    remedy: Remedy
    charged: bool = False


_TRY_AGAIN = "Nothing was charged. Run it again."
# The flux server may well have counted it, only its owner's allowance does not.
_COUNTS_NOT = "It does not count for you. Run it again."
FAILURES: dict[str, Failure] = {
    "source": Failure("A source picture could not be used, so the edit was not sent.", "yours", "change"),
    "refused": Failure(
        "A moderator looked at what this edit asks for and refused it, so it was not sent. Nothing was charged. "
        "Your notices say why, and how to appeal if you think that it was a mistake.",
        "yours",
        "change",
    ),
    "source_removed": Failure(
        "A source picture was removed by a moderator while this edit waited, so it was not sent. Nothing was charged. "
        "Choose another picture.",
        "nobody's",
        "change",
    ),
    "expired": Failure(
        "The rights to a source picture ended while this edit waited, so it was not sent. Nothing was charged. "
        "Choose another picture, or change the date on its page if it is wrong.",
        "yours",
        "change",
    ),
    "refused_prompt": Failure("The flux server won't work on these words. Say it in another way.", "yours", "change"),
    "refused_image": Failure(
        "The flux server could not read the source picture. Try once more, or with another picture.",
        "theirs",
        "run_again",
    ),
    "refused_field": Failure(
        "The flux server did not accept one of the settings. Change size, strength or number of pictures.",
        "ours",
        "change",
    ),
    "refused_plan": Failure(
        "The flux server declines this edit again and again. An administrator can find out why.", "ours", "wait"
    ),
    "vendor": Failure(f"The flux server started this edit and failed. {_TRY_AGAIN}", "theirs", "run_again"),
    "timed_out": Failure(f"The flux server did not finish this edit in time. {_COUNTS_NOT}", "theirs", "run_again"),
    "server_restarted": Failure(
        "The flux server had to be restarted while it worked on this edit, so its picture is lost. It does not count "
        "for you. Run it again, or let it go: nothing more comes of it by itself.",
        "nobody's",
        "run_again",
    ),
    "unconfirmed": Failure(
        f"We never heard whether the flux server took this edit, and have stopped asking. {_COUNTS_NOT}",
        "theirs",
        "run_again",
    ),
    "result_lost": Failure(
        f"The picture was made, but it could not be fetched from the flux server. {_COUNTS_NOT}", "theirs", "run_again"
    ),
    "internal": Failure(f"Something went wrong here. {_TRY_AGAIN}", "ours", "run_again"),
}
BLOCKED = Failure(
    "The flux server's safety check kept this picture back. Nothing was charged. "
    "Other words or another picture may pass.",
    "nobody's",
    "change",
)
UNCONFIRMED = Failure(
    "The request was sent, but its answer got lost, so nobody knows yet whether the picture is being made. "
    "It may still arrive by itself. Send it again (it may then be charged twice), or let it go.",
    "theirs",
    "choose",
)
_REFUSED = Failure("The flux server did not accept this edit. Change it and try again.", "theirs", "change")


def explain(job: GenerationJob) -> Failure | None:
    """The words for a failed, blocked or unconfirmed job; None where nothing went wrong."""
    if job.state == JobState.BLOCKED:
        failure = BLOCKED
    elif job.state == JobState.UNCONFIRMED:
        failure = UNCONFIRMED
    elif job.state == JobState.FAILED:
        failure = FAILURES.get(job.failure_code, _REFUSED)
    else:
        return None
    return Failure(failure.sentence, failure.fault, failure.remedy, charged=job.allowance == Allowance.TAKEN)


NOTES = {
    "some_missing": "Not all of the pictures could be fetched from the flux server; these could.",
    "some_blocked": (
        "The flux server's safety check kept some of the pictures back. What passed stays blurred until you click it."
    ),
    "flagged": "The flux server's safety check was not sure about this edit, so it stays blurred until you click it.",
}
