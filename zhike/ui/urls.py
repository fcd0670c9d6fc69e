from django.urls import path

from zhike.ui import pages

urlpatterns = [path("components", pages.components, name="components")]
