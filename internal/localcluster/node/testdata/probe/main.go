// Command probe is the one program of the pods of the node tests: a web server,
// and by its other commands, a client that says what it sees from in there.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	command, argument := "serve", ""
	if len(args) == 2 {
		command, argument = args[0], args[1]
	}
	switch command {
	case "serve":
		return serve()
	case "get":
		return get(argument)
	case "lookup":
		return lookup(argument)
	case "eat":
		return eat(argument)
	}
	return fmt.Errorf("no command %q", command)
}

// serve answers every request with the pod's name.
func serve() error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	fmt.Println("serving as", name)
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })
	return http.ListenAndServe(":8080", nil)
}

func get(url string) error {
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}

func lookup(name string) error {
	addresses, err := net.LookupHost(name)
	if err != nil {
		return err
	}
	slices.Sort(addresses)
	fmt.Print(strings.Join(addresses, " "))
	return nil
}

// eat uses that many MiB of memory, and then says so and serves.
func eat(mebibytes string) error {
	count, err := strconv.Atoi(mebibytes)
	if err != nil {
		return err
	}
	var eaten [][]byte
	for range count {
		block := make([]byte, 1<<20)
		for i := range block {
			block[i] = byte(i) // memory is only given when it is written to
		}
		eaten = append(eaten, block)
	}
	fmt.Println("ate", len(eaten), "MiB")
	return serve()
}
