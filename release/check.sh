#!/bin/sh
# Checks what a release would be made of: the binary is reproducible, the archives are complete, and the
# container image runs. Parts whose tool is absent are skipped, and say so.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

echo "two builds of one commit, in two folders, the second without a cache, give the same bytes"
build() { (cd "$1" && CGO_ENABLED=0 go build -trimpath -buildvcs=true -ldflags='-s -w' -o "$2" ./cmd/t2map); }
git clone -q . "$work/one"
git clone -q . "$work/another-folder"
build "$work/one" "$work/t2map"
GOCACHE="$work/cache" build "$work/another-folder" "$work/again"
cmp "$work/t2map" "$work/again"
commit=$(git rev-parse HEAD)
"$work/t2map" version | grep -qx "commit    $commit" || { "$work/t2map" version; exit 1; }
chmod -R u+w "$work/cache" && rm -rf "$work/cache" "$work/another-folder" "$work/again"

if command -v goreleaser >/dev/null && command -v cyclonedx-gomod >/dev/null; then
	echo "a snapshot has six archives with checksums and SBOMs"
	(cd "$work/one" && goreleaser check && goreleaser release --snapshot --clean) >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
	sh release/contents.sh "$work/one/dist"
	tar -xzf "$work"/one/dist/t2map_*_linux_amd64.tar.gz -C "$work" --wildcards --strip-components 1 '*/t2map' --one-top-level=linux
	[ "$(uname -sm)" != "Linux x86_64" ] || cmp "$work/linux/t2map" "$work/t2map"
else
	echo "skipped: goreleaser or cyclonedx-gomod is not installed (docs/release.md); the six binaries are compiled"
	for os in linux windows darwin; do
		for arch in amd64 arm64; do
			echo "$os/$arch"
			GOOS=$os GOARCH=$arch build "$work/one" /dev/null
		done
	done
fi

echo "the image"
sh release/image.sh "$work/t2map"
