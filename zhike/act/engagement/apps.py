from django.apps import AppConfig


class EngagementConfig(AppConfig):
    name = "zhike.act.engagement"
    label = "engagement"
