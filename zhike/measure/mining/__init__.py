"""Texts sorted into labels, in Chinese, English and any other script: no network, no word lists of others."""
