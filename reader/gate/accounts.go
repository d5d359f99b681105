package gate

import (
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"

	"github.com/t2map/t2map/hint"
	"github.com/t2map/t2map/reads"
)

// Accounts are users with passwords. They may be used by several goroutines.
type Accounts struct {
	byCode   map[string]account
	throttle *throttle
	unknown  []byte        // is compared with the password of an unknown code, so that the answer takes as long
	turns    chan struct{} // bounds the passwords that are compared at a time, each for a quarter of a second
}

type account struct {
	user User
	hash []byte // of bcrypt
}

// mostTurns is the largest number of passwords that are compared at a time.
const mostTurns = 8

// passwordCost is the cost of bcrypt for new passwords, about a quarter of a second. Hashes of other programs may have
// costs from leastCost to greatestCost.
const (
	passwordCost = 12
	leastCost    = 10
	greatestCost = 15
)

// Passwords have at least shortestPassword characters, and at most the bytes that bcrypt reads.
const (
	shortestPassword = 10
	longestPassword  = 72
)

// Line returns the line of a file of accounts for a user: code, role and the bcrypt hash of the password, separated by
// colons. It is an error if the password is too short or too long.
func Line(u User, password string) (string, error) {
	if err := u.check(); err != nil {
		return "", err
	}
	if n := utf8.RuneCountInString(password); n < shortestPassword {
		return "", hint.Errorf("choose a longer one", "the password has %d characters, want %d or more", n, shortestPassword)
	}
	if len(password) > longestPassword {
		return "", hint.Errorf("choose a shorter one", "the password is longer than %d bytes", longestPassword)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), passwordCost)
	if err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	return u.Code + ":" + string(u.Role) + ":" + string(hash), nil
}

func (u User) check() error {
	if err := reads.CheckReader(u.Code); err != nil {
		return err
	}
	if !u.Role.valid() {
		return hint.Errorf("use reader, adjudicator or manager", "%.60q is not a role", u.Role)
	}
	return nil
}

func (r Role) valid() bool { return r == Reader || r == Adjudicator || r == Manager }

// ParseAccounts reads a file of accounts: a line of Line for each user. Empty lines and lines that begin with # are
// skipped. Errors name the number of a line, and never its content.
func ParseAccounts(text []byte) (*Accounts, error) {
	a := &Accounts{byCode: map[string]account{}, throttle: newThrottle(), turns: make(chan struct{}, mostTurns)}
	number, greatest := 0, 0
	for line := range strings.Lines(string(text)) {
		number++
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cost, err := a.add(line)
		if err != nil {
			return nil, fmt.Errorf("accounts: line %d: %w", number, err)
		}
		greatest = max(greatest, cost)
	}
	if len(a.byCode) == 0 {
		return nil, errors.New("accounts: the file has no account")
	}
	var err error
	a.unknown, err = bcrypt.GenerateFromPassword([]byte(NewToken()), greatest)
	return a, err
}

// Users returns all users, in the order of their codes.
func (a *Accounts) Users() []User {
	var all []User
	for _, one := range a.byCode {
		all = append(all, one.user)
	}
	slices.SortFunc(all, func(x, y User) int { return strings.Compare(x.Code, y.Code) })
	return all
}

// add adds the account in a line and returns the cost of its hash.
func (a *Accounts) add(line string) (cost int, err error) {
	parts := strings.SplitN(line, ":", 3)
	if len(parts) != 3 {
		return 0, errors.New("want code:role:hash")
	}
	u := User{Code: parts[0], Role: Role(parts[1])}
	switch err := reads.CheckReader(u.Code); {
	case err != nil:
		return 0, hint.Errorf(hint.Find(err), "the first part is not a valid code")
	case !u.Role.valid():
		return 0, hint.Errorf("use reader, adjudicator or manager", "the second part is not a role")
	}
	hash := []byte(parts[2])
	if cost, err = bcrypt.Cost(hash); err != nil || cost < leastCost || cost > greatestCost {
		return 0, hint.Errorf("make the line with t2map account", "the third part is not a bcrypt hash of cost %d to %d", leastCost,
			greatestCost)
	}
	key := strings.ToLower(u.Code)
	if _, known := a.byCode[key]; known {
		return 0, errors.New("its code occurs twice")
	}
	a.byCode[key] = account{u, hash}
	return cost, nil
}

// check returns the user with a code and a password; or how long the next login has to wait.
func (a *Accounts) check(code, password, client string, now time.Time) (u User, ok bool, wait time.Duration) {
	key := strings.ToLower(code)
	if reads.CheckReader(code) != nil {
		key = "" // all invalid codes count as one
	}
	if wait := a.throttle.wait(key, client, now); wait > 0 {
		return User{}, false, wait
	}
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
	default:
		return User{}, false, time.Second
	}
	one, known := a.byCode[key]
	if !known {
		one.hash = a.unknown
	}
	if bcrypt.CompareHashAndPassword(one.hash, []byte(password)) != nil || !known {
		a.throttle.failed(key, client, now)
		return User{}, false, 0
	}
	a.throttle.succeeded(key, client)
	return one.user, true, 0
}

// The paths of the gate itself.
const (
	loginPath      = "/login"
	loginStylePath = "/login.css"
	logoutPath     = "/logout"
)

//go:embed login.html
var loginText string

//go:embed login.css
var loginStyle string

var loginPage = template.Must(template.New("login").Parse(loginText))

// mostForm is the largest form in bytes.
const mostForm = 4 << 10

// login shows the form, and begins a session if it is filled in.
func (g *Gate) login(w http.ResponseWriter, r *http.Request) {
	problem, code := "", http.StatusOK
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, mostForm)
		u, ok, wait := g.o.Accounts.check(r.PostFormValue("code"), r.PostFormValue("password"), clientOf(g.client(r)), g.o.Now())
		switch {
		case ok:
			g.begin(w, u)
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		case wait > 0:
			seconds := int(wait.Seconds()) + 1
			w.Header().Set("Retry-After", strconv.Itoa(seconds))
			problem, code = fmt.Sprintf("Too many attempts. Try again in %d s.", seconds), http.StatusTooManyRequests
		default:
			problem, code = "The code or the password is not correct.", http.StatusUnauthorized
		}
	} else if r.Method != http.MethodGet {
		refuse(w, http.StatusMethodNotAllowed, "Only GET and POST are allowed here.")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_ = loginPage.Execute(w, problem) // the client may be gone
}
