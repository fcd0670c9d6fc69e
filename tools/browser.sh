#!/bin/bash
# Chromium and CJK fonts for the browser tests: installed through apt when they are missing and we are root.
set -euo pipefail
missing=()
command -v chromium > /dev/null || missing+=(chromium)
fc-list 2> /dev/null | grep -qi "noto.*cjk" || missing+=(fonts-noto-cjk)
command -v msgfmt > /dev/null || missing+=(gettext)
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get > /dev/null; then
    echo "Please install: ${missing[*]} (for example: sudo apt-get install ${missing[*]})" >&2
    exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
