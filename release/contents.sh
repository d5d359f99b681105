#!/bin/sh
# Checks the folder that goreleaser wrote: six archives that are complete, their checksums and their SBOMs.
set -eu
cd "$1"
sha256sum --quiet -c t2map_*_SHA256SUMS
for platform in linux_amd64 linux_arm64 darwin_amd64 darwin_arm64 windows_amd64 windows_arm64; do
	case $platform in
	windows*) list=$(python3 -m zipfile -l t2map_*_$platform.zip | awk '{print $1}') program=t2map.exe ;;
	*) list=$(tar -tzf t2map_*_$platform.tar.gz) program=t2map ;;
	esac
	for file in "$program" LICENSE NOTICE README.md man/man1/t2map-run.1 completion/t2map.bash completion/_t2map \
		completion/t2map.fish completion/t2map.ps1; do
		echo "$list" | grep -q "/$file\$" || { echo "$platform: the archive lacks $file"; exit 1; }
	done
	# The SBOM names the libraries of the binary.
	for module in github.com/spf13/cobra github.com/tetratelabs/wazero; do
		grep -q "pkg:golang/$module@" t2map_*_$platform.cdx.json || { echo "$platform: the SBOM lacks $module"; exit 1; }
	done
	grep -q "_$platform\." t2map_*_SHA256SUMS || { echo "$platform: no checksum"; exit 1; }
	echo "$platform"
done
