#!/bin/sh
# Builds the image of Dockerfile around a binary, and runs it as its user. The stage that compiles is replaced by the
# binary, because its base image may not be reachable; the stage that ships is that of Dockerfile.
# BUILDER is docker, podman or buildah; the default is the first that works.
set -eu
cd "$(dirname "$0")/.."
binary=$1
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
certificates=etc/ssl/certs/ca-certificates.crt
mkdir -p "$context/data" "$context/out/${certificates%/*}"
cp "$binary" "$context/out/t2map"
cp "/$certificates" "$context/out/$certificates"
mkdir -m 1777 "$context/out/tmp"
cp LICENSE NOTICE "$context"
chmod 777 "$context/data"
{
	printf 'FROM scratch AS build\nCOPY out /out\n\n'
	sed -n '/^FROM scratch$/,$p' Dockerfile
} >"$context/Dockerfile"

works() { command -v "$1" >/dev/null && { [ "$1" = buildah ] || "$1" info >/dev/null 2>&1; }; }
builder=${BUILDER-}
for b in docker podman buildah; do
	[ -n "$builder" ] || ! works $b || builder=$b
done
case $builder in
docker | podman)
	"$builder" build -q -t t2map:check "$context" >/dev/null
	run() { "$builder" run --rm --network none $read_only -v "$context/data:/data" t2map:check "$@"; }
	user=$("$builder" image inspect -f '{{.Config.User}}' t2map:check)
	made=$("$builder" create t2map:check)
	"$builder" cp "$made:/$certificates" "$context/certificates"
	"$builder" rm "$made" >/dev/null
	;;
buildah)
	export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
	store="--root $context/store --runroot $context/run"
	buildah $store build -q -t t2map:check "$context" >/dev/null
	container=$(buildah $store from t2map:check)
	run() { buildah $store run -v "$context/data:/data" "$container" -- /t2map "$@"; }
	inside= # only root may mount, or a user who is root in a name space
	[ "$(id -u)" = 0 ] || inside="buildah unshare"
	$inside sh -c 'cp "$(buildah $1 mount "$2")/$3" "$4" && buildah $1 umount "$2" >/dev/null' \
		sh "$store" "$container" "$certificates" "$context/certificates"
	user=$(buildah $store inspect --type image --format '{{.OCIv1.Config.User}}' t2map:check)
	;;
*)
	echo "skipped: none of docker, podman and buildah works here"
	exit 0
	;;
esac
[ "$user" = 65532:65532 ] || { echo "the image runs as $user"; exit 1; }
cmp "$context/certificates" "/$certificates" || { echo "the image has no certificates, which buckets need"; exit 1; }
read_only=--read-only
run version
run demo /data/demo >/dev/null
[ -s "$context/data/demo/report/trial.html" ] || { echo "the demo in the image wrote no report"; exit 1; }
[ "$(stat -c %u "$context/data/demo")" = 65532 ] || { echo "the demo was not written by the user of the image"; exit 1; }
# A compressed archive is unpacked into /tmp, which the image must have if nothing is mounted there.
read_only=
tar -C "$context/data/demo/studies" -czf "$context/data/studies.tar.gz" S01
run inspect /data/studies.tar.gz >"$context/inspected" || { echo "an archive cannot be read in the image"; exit 1; }
grep -q S01 "$context/inspected" || { cat "$context/inspected"; exit 1; }
echo "the image runs with $builder"
