from django.apps import AppConfig


class OrgConfig(AppConfig):
    name = "zhike.org"
    label = "org"
