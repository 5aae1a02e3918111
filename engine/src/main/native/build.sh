#!/bin/sh
# Makes the program that starts and monitors containers: build.sh DIRECTORY. Statically linked: it starts in a third of the time,
# and needs nothing of the machine that it runs on.
set -eu
cd "$(dirname "$0")"
mkdir -p "$1"
[ -z "$(find . -newer "$1/monitor" -type f 2>/dev/null || echo new)" ] ||
  "${CC:-gcc}" -std=gnu11 -O2 -static -Wall -Wextra -Werror -Wshadow -Wconversion -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
    -s -o "$1/monitor" ./*.c
