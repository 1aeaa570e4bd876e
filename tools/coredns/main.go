// Command coredns is CoreDNS with only the plugins that a local cluster needs: no cloud providers, no zone files.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/loop"
	_ "github.com/coredns/coredns/plugin/ready"
)

func main() {
	// The order of the directives is the order of the plugins in every server's chain.
	dnsserver.Directives = []string{"bind", "ready", "errors", "log", "cache", "loop", "kubernetes"}
	coremain.Run()
}
