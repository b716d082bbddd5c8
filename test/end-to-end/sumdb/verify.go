// SPDX-License-Identifier: Apache-2.0

// Checks the custody/ of a bag by golang.org/x/mod/sumdb alone: the signature of the checkpoint,
// and that every entry stands in its tree. Arguments: the directory, and the key of the log.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func main() {
	custody := os.Args[1]
	verifier := must(note.NewVerifier(os.Args[2]))
	signed := must(os.ReadFile(filepath.Join(custody, "checkpoint")))
	opened := must(note.Open(signed, note.VerifierList(verifier)))
	lines := strings.Split(opened.Text, "\n")
	size := must(strconv.ParseInt(lines[1], 10, 64))
	root := must(tlog.ParseHash(lines[2]))
	names := must(filepath.Glob(filepath.Join(custody, "entries", "*.json")))
	for _, name := range names {
		entry := must(os.ReadFile(name))
		text := must(os.ReadFile(name + ".tlog-proof"))
		head, proven, _ := bytes.Cut(text, []byte("\n\n"))
		if !bytes.Equal(proven, signed) {
			must(0, fmt.Errorf("%s: another checkpoint", name))
		}
		proofLines := strings.Split(string(head), "\n")
		index := must(strconv.ParseInt(strings.TrimPrefix(proofLines[1], "index "), 10, 64))
		var proof tlog.RecordProof
		for _, line := range proofLines[2:] {
			proof = append(proof, must(tlog.ParseHash(line)))
		}
		must(0, tlog.CheckRecord(proof, size, root, index, tlog.RecordHash(entry)))
	}
	fmt.Println(len(names), "entries")
}
