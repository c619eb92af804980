"""What moderators had to do with a person, as the person may read it: no moderator's name, no note for colleagues."""

from typing import TYPE_CHECKING, Any

from editor.models import CaseState, Decision, ModerationCase, Notice, Notification, Report

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from editor.models import User


def reports_of(user: "User") -> "QuerySet[Report]":
    return Report.objects.filter(reporter=user).select_related("case").order_by("created_at")


def decisions_about(user: "User") -> "QuerySet[Decision]":
    return Decision.objects.filter(person=user).select_related("case", "appeal").order_by("created_at")


def notice_facts(notice: Notice) -> dict[str, Any]:
    return {
        "headline": notice.headline,
        "words": notice.words,
        "decision": str(notice.decision_id) if notice.decision_id else None,
        "created_at": notice.created_at.isoformat(),
        "seen_at": notice.seen_at.isoformat() if notice.seen_at else None,
    }


def notification_facts(row: Notification) -> dict[str, Any]:
    return {
        "about": row.about,
        "words": row.words,
        "workspace": row.workspace.name if row.workspace else None,
        "created_at": row.created_at.isoformat(),
        "seen_at": row.seen_at.isoformat() if row.seen_at else None,
    }


def report_facts(report: Report) -> dict[str, Any]:
    return {
        "picture": str(report.case.image_id) if report.case.image_id else None,
        "reason": report.reason,
        "words": report.words,
        "created_at": report.created_at.isoformat(),
        "decided": report.case.state == CaseState.DECIDED,
    }


def decision_facts(decision: Decision) -> dict[str, Any]:
    appeal: ModerationCase | None = getattr(decision, "appeal", None)
    return {
        "id": str(decision.pk),
        "about": {
            "picture": str(decision.image_id) if decision.image_id else None,
            "edit": str(decision.case.job_id) if decision.case.job_id else None,
        },
        "actions": decision.labels,
        "reason": decision.reason,
        "instead_of": str(decision.replaces_id) if decision.replaces_id else None,
        "created_at": decision.created_at.isoformat(),
        "appeal": None if appeal is None else _appeal_facts(appeal),
    }


def _appeal_facts(case: ModerationCase) -> dict[str, Any]:
    return {
        "words": case.details.get("words", ""),
        "created_at": case.opened_at.isoformat(),
        "answered_at": case.decided_at.isoformat() if case.decided_at else None,
    }
