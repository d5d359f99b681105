# A static image: the program, its licences, certificates and a folder for temporary files. See docs/release.md.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=true -ldflags='-s -w' -o /out/t2map ./cmd/t2map
# Certificates for buckets, and /tmp for archives, whose modes COPY keeps within a folder only.
RUN mkdir -p /out/etc/ssl/certs && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs && mkdir -m 1777 /out/tmp

FROM scratch
COPY --from=build /out /
COPY LICENSE NOTICE /
# No name: scratch has no /etc/passwd, and Kubernetes' runAsNonRoot needs a number.
USER 65532:65532
WORKDIR /data
ENTRYPOINT ["/t2map"]
