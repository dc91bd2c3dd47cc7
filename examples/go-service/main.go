// Command go-service answers HTTP requests with the time.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	check := flag.Bool("check", false, "ask the running service whether it is well")
	flag.Parse()
	if *check {
		if _, err := http.Get("http://" + *addr + "/health"); err != nil {
			log.Fatal(err)
		}
		return
	}
	http.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, time.Now().Format(time.RFC3339))
	})
	log.Fatal(http.ListenAndServe(*addr, nil))
}
