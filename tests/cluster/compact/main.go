// Command compact discards the history of an etcd up to its present revision,
// so that a watch that asks for an older one is refused as expired.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// compact drops all revisions but a newly made one and returns that.
func compact(endpoint string, timeout time.Duration) (int64, error) {
	client, err := clientv3.New(clientv3.Config{
		Endpoints:   []string{endpoint},
		DialTimeout: timeout,
	})
	if err != nil {
		return 0, fmt.Errorf("cannot reach etcd at %s: %w", endpoint, err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	// A write of our own makes the new revision newer than all that any client has seen.
	answer, err := client.Put(ctx, "/compact", time.Now().Format(time.RFC3339Nano))
	if err != nil {
		return 0, fmt.Errorf("cannot write to %s: %w", endpoint, err)
	}
	revision := answer.Header.Revision
	if _, err := client.Compact(ctx, revision, clientv3.WithCompactPhysical()); err != nil {
		return 0, fmt.Errorf("cannot compact %s at revision %d: %w", endpoint, revision, err)
	}
	return revision, nil
}

func main() {
	endpoint := flag.String("endpoint", "", "client URL of the etcd, http://127.0.0.1:PORT")
	timeout := flag.Duration("timeout", 10*time.Second, "time allowed for the whole call")
	flag.Parse()
	if *endpoint == "" || flag.NArg() != 0 {
		fmt.Fprintln(os.Stderr, "usage: compact -endpoint URL [-timeout DURATION]")
		os.Exit(2)
	}
	revision, err := compact(*endpoint, *timeout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "compact:", err)
		os.Exit(1)
	}
	fmt.Println(revision)
}
