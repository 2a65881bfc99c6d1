package ownerreztest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// memoryHost is the host of the in-memory door's URL.
const memoryHost = "ownerrez.test"

// URL is the base URL to use with HTTPClient and OpenHTTPClient: "http://ownerrez.test/base" (the path is
// WithBasePath's). Any other host name leads to the server too.
func (s *Server) URL() string { return "http://" + memoryHost + s.basePath }

// Start serves on a free port of 127.0.0.1 until the test ends, and returns the base URL,
// "http://127.0.0.1:1234/base". Inside a testing/synctest bubble use HTTPClient: a real socket never lets
// virtual time go on.
func (s *Server) Start(t testing.TB) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("ownerreztest: %v", err)
	}
	server := s.httpServer()
	go func() { _ = server.Serve(listener) }() // ends with Close
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String() + s.basePath
}

// HTTPClient returns a client whose connections lead to the server in memory, whatever host they name: use
// it with URL. It works inside testing/synctest bubbles, where it must be made too, and its requests come from
// the IP address 192.0.2.1. It is closed when the test ends.
func (s *Server) HTTPClient(t testing.TB) *http.Client {
	t.Helper()
	return s.HTTPClientFrom(t, "192.0.2.1")
}

// HTTPClientFrom is HTTPClient from another IP address.
func (s *Server) HTTPClientFrom(t testing.TB, ip string) *http.Client {
	t.Helper()
	client, closeClient := s.memoryClient(ip)
	t.Cleanup(closeClient)
	return client
}

// OpenHTTPClient is HTTPClient for programs that are no tests. Its function closes the client and all
// connections.
func (s *Server) OpenHTTPClient() (client *http.Client, closeClient func()) {
	return s.memoryClient("192.0.2.1")
}

func (s *Server) memoryClient(ip string) (*http.Client, func()) {
	pipes := &pipeListener{ip: net.ParseIP(ip), accept: make(chan net.Conn), done: make(chan struct{})}
	server := s.httpServer()
	go func() { _ = server.Serve(pipes) }() // ends with Close
	transport := &http.Transport{DialContext: pipes.dial}
	return &http.Client{Transport: transport}, func() {
		transport.CloseIdleConnections()
		_ = server.Close()
	}
}

// httpServer is a server whose connections count their requests.
func (s *Server) httpServer() *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: time.Minute,
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, requestsKey{}, new(atomic.Int64))
		},
	}
}

// requestsKey finds how many requests a connection has brought.
type requestsKey struct{}

// reused reports whether the request is not the first of its connection.
func reused(r *http.Request) bool {
	n, ok := r.Context().Value(requestsKey{}).(*atomic.Int64)
	return ok && n.Add(1) > 1
}

// pipeListener accepts connections that dial made.
type pipeListener struct {
	ip     net.IP
	accept chan net.Conn
	once   sync.Once
	done   chan struct{}
	ports  atomic.Int32
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	remote := &net.TCPAddr{IP: l.ip, Port: 1024 + int(l.ports.Add(1))%60000}
	select {
	case l.accept <- pipeConn{server, remote}:
		return client, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.accept:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: l.ip, Port: 80} }

// pipeConn is the server's end of a pipe, with an address.
type pipeConn struct {
	net.Conn
	remote net.Addr
}

func (c pipeConn) RemoteAddr() net.Addr { return c.remote }
