from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "zhike.record.privacy"
    label = "privacy"
