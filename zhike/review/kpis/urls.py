"""Addresses of the review."""

from django.urls import path

from zhike.review.kpis import pages

urlpatterns = [path("review", pages.review, name="review")]
