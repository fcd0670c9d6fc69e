from django.apps import AppConfig


class BenchConfig(AppConfig):
    name = "zhike.bench"
    label = "bench"
