// Appends values to the Go predecessor of LogStore and reads them, on request: a line of stdin is
// "append COUNT VALUE_BYTES" or "read COUNT VALUE_BYTES", a line of stdout the duration in ns.
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"github.com/lafikl/logstore"
)

const (
	// Its partitions but the last get records: one of two.
	partitions   = 2
	lengthBytes  = 8
	headerBytes  = 12
	chunkBytes   = 512 * 1024
	ringMessages = 1024
)

func main() {
	// It puts nothing between the directory and a file's name.
	store := logstore.New(os.Args[1]+"/", partitions)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var what string
		var count, valueBytes int
		if _, err := fmt.Sscan(lines.Text(), &what, &count, &valueBytes); err != nil {
			fail(err)
		}
		begun := time.Now()
		if what == "append" {
			write(store, count, valueBytes)
		} else {
			read(store, count, valueBytes)
		}
		fmt.Println(time.Since(begun).Nanoseconds())
	}
}

// A value begins with its sequence number.
func write(store *logstore.LogStore, count, valueBytes int) {
	value := make([]byte, valueBytes)
	for sequence := 0; sequence < count; sequence++ {
		binary.LittleEndian.PutUint32(value, uint32(sequence))
		if _, err := store.Append("", value); err != nil {
			fail(err)
		}
	}
}

// Checks the sequence of all values, keeps the last ones and adds up what it got.
func read(store *logstore.LogStore, count, valueBytes int) {
	ring := make([]*logstore.Message, ringMessages)
	seen, sum := 0, 0
	for offset := int64(0); seen < count; {
		// The messages are views of the chunk.
		chunk := make([]byte, chunkBytes)
		n, err := store.Read(0, offset, chunk)
		if err != nil {
			fail(err)
		}
		whole := wholeMessages(chunk[:n])
		messages, err := store.UnMarshal(chunk[:whole])
		if err != nil {
			fail(err)
		}
		for _, message := range messages {
			if sequence := int(binary.LittleEndian.Uint32(message.Payload)); sequence != seen || len(message.Payload) != valueBytes {
				fail(fmt.Errorf("value %d came where %d was due", sequence, seen))
			}
			ring[seen%ringMessages] = message
			sum += int(message.Payload[valueBytes-1])
			seen++
		}
		offset += int64(whole)
	}
	if sum < 0 {
		fail(fmt.Errorf("a sum of %d", sum))
	}
}

// The end of the last message that is there wholly: it panics on a part of one.
func wholeMessages(chunk []byte) int {
	end := 0
	for end+headerBytes <= len(chunk) {
		length := int(binary.BigEndian.Uint64(chunk[end : end+lengthBytes]))
		if end+length > len(chunk) {
			break
		}
		end += length
	}
	return end
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
