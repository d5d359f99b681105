package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/outfile"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
)

func accountCommand() *cobra.Command {
	var role string
	c := &cobra.Command{
		Use:   "account ACCOUNTS CODE",
		Short: "Add a person to the accounts of read, or change a password",
		Long: `account adds a line to the file ACCOUNTS for the person with the code, or replaces it. It asks for the
password, which is not shown, or reads it from standard input. The file holds the hash of the password
(bcrypt), never the password. t2map read --accounts reads it when it starts.

The code, such as R1, names the person in the folder of the reads and in the record; do not use a real name.
A reader draws and signs. An adjudicator sees the reads of others and decides between them.
A manager sees the progress of all readers, and draws nothing.

Exit status: 0 the account is written, 1 an error, 2 usage.`,
		Example: "  t2map account accounts R1\n  t2map account accounts A1 --role adjudicator",
		Args:    usage(cobra.ExactArgs(2)),
	}
	c.Flags().StringVar(&role, "role", string(gate.Reader), "`role` of the person: reader, adjudicator or manager")
	c.RunE = func(c *cobra.Command, args []string) error {
		u := gate.User{Code: args[1], Role: gate.Role(role)}
		if err := reads.CheckReader(u.Code); err != nil {
			return usageError{err}
		}
		password, err := readPassword(c)
		if err != nil {
			return err
		}
		line, err := gate.Line(u, password)
		if err != nil {
			return usageError{err}
		}
		return writeAccount(args[0], u.Code, line)
	}
	return c
}

// readPassword asks for a password, twice on a terminal.
func readPassword(c *cobra.Command) (string, error) {
	in, isFile := c.InOrStdin().(*os.File)
	if !isFile || !term.IsTerminal(int(in.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(c.InOrStdin(), 1<<10)).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return strings.TrimRight(line, "\r\n"), err
	}
	var texts [2]string
	for n, question := range []string{"Password: ", "Repeat the password: "} {
		fmt.Fprint(c.ErrOrStderr(), question)
		text, err := term.ReadPassword(int(in.Fd()))
		fmt.Fprintln(c.ErrOrStderr())
		if err != nil {
			return "", err
		}
		texts[n] = string(text)
	}
	if texts[0] != texts[1] {
		return "", errors.New("the passwords differ")
	}
	return texts[0], nil
}

// writeAccount adds a line to the file of accounts, or replaces that of the code.
func writeAccount(path, code, line string) error {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var lines []string
	for old := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(old, ":")
		if strings.EqualFold(strings.TrimSpace(name), code) {
			continue
		}
		lines = append(lines, strings.TrimRight(old, "\r\n"))
	}
	lines = append(lines, line)
	text = []byte(strings.Join(lines, "\n") + "\n")
	if _, err := gate.ParseAccounts(text); err != nil {
		return hint.Errorf("correct the line, or start a new file", "%w", err)
	}
	if err := outfile.Replace(path, text); err != nil {
		return err
	}
	const onlyOwner = 0o600
	return os.Chmod(path, onlyOwner)
}
