// Command work does nothing for the given time, and ends well.
package main

import (
	"log"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: work DURATION")
	}
	takes, err := time.ParseDuration(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	time.Sleep(takes)
}
