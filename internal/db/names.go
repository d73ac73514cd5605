package db

import (
	"bytes"
	"strings"
)

// nameLetters are what the names of all members and columns are made of.
const nameLetters = "abcdefghijklmnopqrstuvwxyz_$"

// oddName returns the first member name in the JSON text that has another letter, or "". Package
// json takes "OPS" for "ops"; here names are as they are written. The text is known to be valid.
func oddName(text []byte) string {
	for i := 0; i < len(text); i++ {
		if text[i] != '"' {
			continue
		}
		begin := i + 1
		for i++; text[i] != '"'; i++ {
			if text[i] == '\\' {
				i++
			}
		}
		end := i
		for i++; i < len(text) && strings.IndexByte(" \t\r\n", text[i]) >= 0; i++ {
			continue
		}
		isName := i < len(text) && text[i] == ':'
		if name := text[begin:end]; isName && len(bytes.Trim(name, nameLetters)) > 0 {
			return clip(string(name))
		}
		i-- // the loop goes on with what stands behind the string
	}
	return ""
}
