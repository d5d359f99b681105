package reader

import (
	"embed"
	"net/http"
)

// files are the page, as it is sent. The folder page/dist is made from the others.
//
//go:generate go -C gen run .
//go:embed page/index.html page/dist
var files embed.FS

// pageFiles are the paths of the page with their files.
var pageFiles = map[string]string{"/": "page/index.html", "/read.js": "page/dist/read.js", "/read.css": "page/dist/read.css"}

// sendPage answers with the files of the page.
func sendPage(w http.ResponseWriter, r *http.Request) {
	name, ok := pageFiles[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	http.ServeFileFS(w, r, files, name)
}
