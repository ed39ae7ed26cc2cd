package checker

import "testing"

func TestRedis(t *testing.T) {
	const (
		ping = "*1\r\n$4\r\nPING\r\n"
		quit = "*1\r\n$4\r\nQUIT\r\n"
		auth = "*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n"
		user = "*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$2\r\npw\r\n"
	)
	runDialogues(t, []dialogueTest{
		{name: "up", talker: Redis{}, turns: []string{"+PONG\r\n"}, sent: ping + quit},
		{
			name: "up with a password", talker: Redis{Passwd: "pw"},
			turns: []string{"+OK\r\n", "+PONG\r\n"}, sent: auth + ping + quit,
		},
		{
			name: "up as a user", talker: Redis{Login: "u", Passwd: "pw"},
			turns: []string{"+OK\r\n", "+PONG\r\n"}, sent: user + ping + quit,
		},
		{
			name: "wants a password", talker: Redis{},
			turns: []string{"-NOAUTH Authentication required.\r\n"},
			sent:  ping, err: `PING: "-NOAUTH Authentication required."`,
		},
		{
			name: "a wrong password, repeated by the server", talker: Redis{Login: "u", Passwd: "pw"},
			turns: []string{"-WRONGPASS pw\r\n"}, sent: user, err: `AUTH: "-WRONGPASS ***"`,
		},
		{
			name: "still loading", talker: Redis{}, turns: []string{"-LOADING the dataset\r\n"},
			sent: ping, err: `PING: "-LOADING the dataset"`,
		},
		{
			name: "speaks something else", talker: Redis{}, turns: []string{"HTTP/1.1 400 Bad Request\r\n"},
			sent: ping, err: `PING: "HTTP/1.1 400 Bad Request"`,
		},
	})
}

func TestRedisString(t *testing.T) {
	if got, want := (Redis{Login: "u", Passwd: "pw"}).String(), "redis PING invalid AddrPort as u"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
}

func FuzzRedis(f *testing.F) {
	f.Add("+OK\r\n+PONG\r\n")
	f.Add("-ERR\r\n")
	f.Fuzz(func(t *testing.T, data string) { fuzzDialogue(t, Redis{Passwd: "pw"}.Dialogue, data) })
}
