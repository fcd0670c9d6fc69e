from django.apps import AppConfig


class EventsConfig(AppConfig):
    name = "zhike.record.events"
    label = "events"
