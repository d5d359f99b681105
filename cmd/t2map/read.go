package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/user"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/t2map/t2map/batch"
	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/objects"
	"github.com/t2map/t2map/pipeline"
	"github.com/t2map/t2map/printable"
	"github.com/t2map/t2map/reader"
	"github.com/t2map/t2map/reader/gate"
	"github.com/t2map/t2map/reads"
)

const readHelp = `read starts a web server on this machine and prints the address of a page, on which a reader looks at
the studies, draws and corrects masks, and signs them.

DIR is a folder of results. read takes the options and the folders of studies from the last run into it. If
that run was on another machine, name the folders with --studies. DIR can also be a folder of studies that
were not mapped; then --out and --scheme are needed, as for run.

Drawings are kept in DIR/reads, stroke by stroke, and survive a closed tab, a killed server and
a loss of power. A signed read is the mask of its study from then on: read maps the study again and
writes the tables. Reads are events in DIR/audit.jsonl, and t2map verify compares them.

With --blind, subjects, visits and the order of the studies are hidden. The protocol may ask for hidden
repeats and for several readers (t2map protocol shows the keys of ` + "`reads`" + `). Once reads are blinded, read
needs --blind until they are unblinded with t2map unblind.

Options that change results are taken from the last run and must not differ from it. If the server is stopped
while it maps a study, the next t2map run maps the rest.

By default the server can be reached only from this machine, and only with the address that it prints. For
readers on the network, use --addr with --tls-cert and --accounts; t2map account writes the file of
accounts. The server answers only to the names of --host and --addr. An --addr that stands for all
addresses, such as 0.0.0.0:8443, needs --host.

Behind a proxy that encrypts, use --without-tls and --host https://NAME. The proxy must pass on
the Host header and add the address of its client to X-Forwarded-For. After failed logins, the client
that this header names last has to wait: only the proxy may be able to reach the server.

Exit status: 0 the server was stopped, 1 an error, 2 usage.`

// readFlags are the flags of read.
type readFlags struct {
	studyFlags
	out            string
	studies        []string
	reader, role   string
	addr, worklist string
	hosts          []string
	blind          bool
	cert, key      string
	accounts       string
	insecure       bool
}

func readCommand() *cobra.Command {
	var f readFlags
	c := &cobra.Command{
		Use:   "read DIR",
		Short: "Look at studies, draw, correct and sign masks in the browser",
		Long:  readHelp,
		Example: `  t2map read results
  t2map read results --reader R1 --blind --protocol trial.yaml
  t2map read results --studies /data/trial --scheme skm-tea
  t2map read results --addr 10.0.0.5:8443 --tls-cert cert.pem --tls-key key.pem --accounts accounts
  t2map read results --addr 127.0.0.1:8080 --host https://reads.example.org --without-tls --accounts accounts`,
		Args: usage(cobra.ExactArgs(1)),
	}
	f.add(c)
	f.addFit(c)
	f.addMaps(c)
	p := c.Flags()
	p.StringVar(&f.out, "out", "", "`folder` for results and reads, if DIR holds studies and no results")
	p.StringArrayVar(&f.studies, "studies", nil,
		"`folder` of studies; may be given several times (default: those of the last run)")
	p.StringVar(&f.reader, "reader", "", "`code` of the reader, the name of the folder of the reads (default: your login name)")
	p.StringVar(&f.role, "role", string(gate.Reader), "`role` of the reader: reader, or adjudicator, who decides between readers")
	p.StringVar(&f.addr, "addr", "127.0.0.1:0", "`address` to listen on; port 0 selects a free port")
	p.StringArrayVar(&f.hosts, "host", nil,
		"`name` that readers type to reach the server, with its port if it is not that of --addr, and with https:// if a proxy "+
			"encrypts; may be given several times, and the first one is printed")
	p.StringVar(&f.worklist, "worklist", "",
		"CSV `file` with the columns subject, visit and reader: who reads what (default: every reader reads everything)")
	p.BoolVar(&f.blind, "blind", false, "hide subjects, visits and their order from readers")
	p.StringVar(&f.cert, "tls-cert", "", "`file` with the certificate of the server, for an --addr on the network")
	p.StringVar(&f.key, "tls-key", "", "`file` with the key of the certificate")
	p.StringVar(&f.accounts, "accounts", "", "`file` of accounts with passwords, see t2map account")
	p.BoolVar(&f.insecure, "without-tls", false,
		"do not encrypt, for a server behind a proxy that encrypts and adds the client to X-Forwarded-For")
	c.RunE = func(c *cobra.Command, args []string) error { return f.serve(c, args[0]) }
	return c
}

// serve runs the server until it is interrupted.
func (f *readFlags) serve(c *cobra.Command, dir string) error {
	if objects.Is(f.out) {
		return usageError{hint.Errorf("copy the results to a folder", "reads cannot be kept in a bucket")}
	}
	reach, err := f.reach()
	if err != nil {
		return err
	}
	users, err := f.users(reach)
	if err != nil {
		return err
	}
	s, err := f.settingsOf(c, dir)
	if err != nil {
		return err
	}
	if err := f.checkBlinding(s.Out); err != nil {
		return err
	}
	var assigned *tasks
	if f.worklist != "" {
		if assigned, err = readTasks(f.worklist); err != nil {
			return err
		}
	}
	list, err := openWorklist(c, s)
	if err != nil {
		return err
	}
	defer list.Close()
	store, err := reads.Open(s.Out)
	if err != nil {
		return err
	}
	defer store.Close()
	o := reader.Options{Worklist: list, Store: store, Protocol: list.Protocol(), Version: pipeline.Version,
		Log: slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil)), Signed: func() { f.follow(c, s) }}
	if f.blind {
		if o.Blinding, err = store.Blind(s.Protocol.Reads.RepeatsPercent / 100); err != nil {
			return err
		}
	}
	if assigned != nil {
		o.Assigned = assigned.assigned
		assigned.report(c.ErrOrStderr(), list.Studies, readersAmong(users), f.blind)
	}
	server := reader.New(o)
	return errors.Join(f.listen(c, server, users, reach, list), server.Close())
}

// checkBlinding returns an error if the reads in a folder are blinded and the flag is missing: the page would show what
// the codes of earlier reads mean.
func (f *readFlags) checkBlinding(out string) error {
	blinded, err := reads.Look(out).Blinded()
	if err == nil && blinded && !f.blind {
		return usageError{hint.Errorf("add --blind; or end the blinding with t2map unblind when all reads are signed",
			"the reads in %s are blinded", printable.Short(out))}
	}
	return err
}

// openWorklist finds the studies and shows its progress. The settings must be those of the results.
func openWorklist(c *cobra.Command, s batch.Settings) (*batch.Worklist, error) {
	show := newProgress(c.ErrOrStderr(), false)
	var opened atomic.Bool // from then on, progress would be that of a study that a reader opens
	s.Progress = func(stage batch.Stage, done, total int) {
		if !opened.Load() {
			show.report(stage, done, total)
		}
	}
	list, err := batch.OpenWorklist(c.Context(), s)
	opened.Store(true)
	show.close()
	if errors.As(err, new(*batch.SettingsError)) {
		err = hint.Errorf("omit options that change results, since read takes those of the last run; or map the studies with them "+
			"first: t2map run --replace", "%w", err)
	}
	return list, err
}

// follow maps the studies whose masks were signed, and writes the tables. If the server is stopped meanwhile, a later run
// maps the rest. If reads are blinded, nothing but errors is printed: the number of mapped studies, and the time that they
// take, would show which read is a hidden repeat.
func (f *readFlags) follow(c *cobra.Command, s batch.Settings) {
	w, ctx := c.ErrOrStderr(), c.Context()
	s.Wait, s.Waiting = true, waiting(c, false)
	outcome, err := batch.Run(ctx, s)
	switch {
	case err != nil && ctx.Err() != nil:
		if !f.blind {
			fmt.Fprintln(w, "stopped before all studies with newly signed masks were mapped: t2map run maps the rest")
		}
	case err != nil:
		fmt.Fprintf(w, "the run after a read: %s\n", printable.Line(err.Error()))
		if advice := hint.Find(err); advice != "" {
			fmt.Fprintf(w, "hint: %s\n", printable.Line(advice))
		}
	case !f.blind:
		fmt.Fprintf(w, "%s mapped after a read, tables written\n", printable.Counted(outcome.Mapped, "study", "studies"))
	}
}

// settingsOf returns the settings of the studies, in whose output folder the reads are: those of the last run, changed by
// flags. dir is the output folder, or, without results, a folder of studies.
func (f *readFlags) settingsOf(c *cobra.Command, dir string) (batch.Settings, error) {
	out, roots := dir, f.studies
	last, known, err := batch.FindLastRun(dir)
	switch {
	case err != nil:
		return batch.Settings{}, err
	case known && f.out != "":
		return batch.Settings{}, usageError{hint.Errorf("omit --out: reads are kept with the results",
			"%s holds results", printable.Short(dir))}
	case !known && len(roots) == 0:
		if out, roots = f.out, []string{dir}; out == "" {
			return batch.Settings{}, usageError{hint.Errorf("if it holds studies, name a folder for the results with --out",
				"%s holds no results", printable.Short(dir))}
		}
		if last, _, err = batch.FindLastRun(out); err != nil {
			return batch.Settings{}, err
		}
	case len(roots) == 0:
		roots = last.Roots
	}
	if len(roots) == 0 {
		return batch.Settings{}, usageError{hint.Errorf("name them with --studies",
			"it is not known which folders of studies the last run has searched")}
	}
	if err := f.recall(c, last.Options); err != nil {
		return batch.Settings{}, err
	}
	s, err := f.settings(c, roots)
	s.Out = out
	_, recorded := recordedFlags()
	c.Flags().Visit(func(one *pflag.Flag) { // flags of the last run and of this command
		if text := optionText(one); recorded.Flags().Lookup(one.Name) != nil && changesResults(text) {
			s.Options = append(s.Options, text)
		}
	})
	return s, err
}

// recall sets the flags of the last run that are not given to this command.
func (f *readFlags) recall(c *cobra.Command, options []string) error {
	for _, option := range options {
		flag := c.Flags().Lookup(optionName(option))
		if !changesResults(option) || flag == nil || flag.Changed {
			continue
		}
		_, value, _ := strings.Cut(option, " ")
		if err := c.Flags().Set(flag.Name, value); err != nil {
			return fmt.Errorf("the record has the option %s: %w", printable.Quoted(option), err)
		}
	}
	return nil
}

// users returns who may use the server.
func (f *readFlags) users(r reach) (gate.Options, error) {
	o := gate.Options{Secure: r.secure, Proxied: f.insecure}
	if f.accounts != "" {
		text, err := os.ReadFile(f.accounts)
		if err != nil {
			return o, err
		}
		o.Accounts, err = gate.ParseAccounts(text)
		return o, err
	}
	o.Token = gate.NewToken()
	o.User = gate.User{Code: f.reader, Role: gate.Role(f.role)}
	if o.User.Code == "" {
		if u, err := user.Current(); err == nil {
			o.User.Code = u.Username
		}
	}
	if o.User.Role != gate.Reader && o.User.Role != gate.Adjudicator {
		return o, usageError{fmt.Errorf("--role %s is neither reader nor adjudicator", printable.Short(f.role))}
	}
	if err := reads.CheckReader(o.User.Code); err != nil {
		return o, usageError{hint.Errorf("name the reader with --reader", "%w", err)}
	}
	return o, nil
}

// listen answers requests until the context ends.
func (f *readFlags) listen(c *cobra.Command, server http.Handler, users gate.Options, r reach, list *batch.Worklist) error {
	listener, err := net.Listen("tcp", f.addr)
	if err != nil {
		return hint.Errorf("choose another port with --addr", "%w", err)
	}
	users.Hosts = r.hosts(listener.Addr().String())
	g, err := gate.New(users)
	if err != nil {
		return err
	}
	h := usualLimits.server(g.Handler(server))
	if f.cert != "" {
		pair, err := tls.LoadX509KeyPair(f.cert, f.key)
		if err != nil {
			return fmt.Errorf("--tls-cert: %w", err)
		}
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	}
	readable := 0
	for _, st := range list.Studies {
		if st.Problem == nil {
			readable++
		}
	}
	fmt.Fprintf(c.OutOrStdout(), "%s to read. Open this address in a browser; Ctrl+C stops the server:\n\n  %s\n\n",
		printable.Counted(readable, "study", "studies"), g.Address())
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-c.Context().Done():
	}
	const patience = 10 * time.Second
	ctx, stop := context.WithTimeout(context.WithoutCancel(c.Context()), patience)
	defer stop()
	if err := h.Shutdown(ctx); err != nil {
		return h.Close()
	}
	return nil
}
