#!/bin/sh
# Run by goreleaser before it builds. Checks that the tag is the version in results, and writes the
# completion scripts for the archives.
set -eu
cd "$(dirname "$0")/.."
tag=$1 snapshot=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
program=$folder/t2map
go build -o "$program" ./cmd/t2map
version=$("$program" --version)
version=${version#t2map version }
if [ "$snapshot" != true ] && [ "$tag" != "v$version" ]; then
	echo "the tag is $tag, but pipeline.Version is $version: results would have another version than the release" >&2
	exit 1
fi
mkdir -p release/completion
"$program" completion bash >release/completion/t2map.bash
"$program" completion zsh >release/completion/_t2map
"$program" completion fish >release/completion/t2map.fish
"$program" completion powershell >release/completion/t2map.ps1
