from django.urls import URLPattern, path

from editor.views import delivery, edits, frame, health, history, links, studio, trash, uploading, webhook

urlpatterns: list[URLPattern] = [
    path("", studio.studio, name="studio"),
    path("studio/<uuid:image_id>/", studio.studio_image, name="studio_image"),
    path("samples/<slug:name>/", uploading.sample_use, name="sample_use"),
    path("images/", uploading.image_upload, name="image_upload"),
    path("images/<uuid:image_id>/state/", uploading.image_state, name="image_state"),
    path("images/<uuid:image_id>/trash/", uploading.image_trash, name="image_trash"),
    path("images/<uuid:image_id>/restore/", uploading.image_restore, name="image_restore"),
    path("images/<uuid:image_id>/<int:width>.webp", delivery.image_rendition, name="image_rendition"),
    path("images/<uuid:image_id>/master", delivery.image_master, name="image_master"),
    path("trash/", trash.trash, name="trash"),
    path("edits/", edits.edit_create, name="edit_create"),
    path("edits/<uuid:job_id>/", edits.edit, name="edit"),
    path("edits/<uuid:job_id>/tile/", edits.edit_tile, name="edit_tile"),
    path("edits/<uuid:job_id>/cancel/", edits.edit_cancel, name="edit_cancel"),
    path("edits/<uuid:job_id>/send-again/", edits.edit_send_again, name="edit_send_again"),
    path("edits/<uuid:job_id>/let-go/", edits.edit_let_go, name="edit_let_go"),
    path("edits/<uuid:job_id>/run-again/", edits.edit_run_again, name="edit_run_again"),
    path("edits-left/", frame.edits_left, name="edits_left"),
    path("history/", history.history, name="history"),
    path("history/working/", history.history_working, name="history_working"),
    path("hooks/flux/<slug:secret>/", webhook.flux_webhook, name="flux_webhook"),
    path("sources/<str:token>.jpg", links.flux_source, name="flux_source"),
    path("healthz/", health.healthz, name="healthz"),
]
