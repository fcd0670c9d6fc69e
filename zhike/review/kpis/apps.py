from django.apps import AppConfig


class KpisConfig(AppConfig):
    name = "zhike.review.kpis"
    label = "kpis"
