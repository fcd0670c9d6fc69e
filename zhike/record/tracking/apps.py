from django.apps import AppConfig


class TrackingConfig(AppConfig):
    name = "zhike.record.tracking"
    label = "tracking"
