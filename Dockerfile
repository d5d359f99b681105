# A static image: the program, its licences, nothing else. See docs/release.md.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=true -ldflags='-s -w' -o /out/t2map ./cmd/t2map

FROM scratch
COPY --from=build /out/t2map /t2map
COPY LICENSE NOTICE /
# No name: scratch has no /etc/passwd, and Kubernetes' runAsNonRoot needs a number.
USER 65532:65532
WORKDIR /data
ENTRYPOINT ["/t2map"]
