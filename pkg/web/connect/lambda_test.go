package connect_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/connect"
)

// TestThroughTheGateway has cookies go both ways through what API Gateway sends and takes (payload 2.0): they are in a
// list of their own there.
func TestThroughTheGateway(t *testing.T) {
	s := newSite(t)
	proxy := httpadapter.NewV2(s.handler)
	ask := func(method, path, query string, cookies ...string) events.APIGatewayV2HTTPResponse {
		t.Helper()
		request := events.APIGatewayV2HTTPRequest{Version: "2.0", RouteKey: "ANY " + path, RawPath: path, RawQueryString: query, Cookies: cookies}
		request.RequestContext.HTTP.Method, request.RequestContext.HTTP.Path = method, path
		request.RequestContext.DomainName = "api.example.com"
		request.Headers = map[string]string{"host": "api.example.com"}
		resp, err := proxy.ProxyWithContext(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	code := strings.TrimPrefix(s.invite(connect.Invitation{}), s.pages.URL+"/connect?")
	began := ask("GET", connect.ConnectPath, code)
	location := began.Headers["Location"]
	if began.StatusCode != http.StatusSeeOther || !strings.HasPrefix(location, s.at+"/") {
		t.Fatalf("%+v", began)
	}
	if strings.Contains(location, "api.example.com") {
		t.Error("the redirect URI is made of the Host header")
	}
	if len(began.Cookies) != 1 {
		t.Fatalf("%+v", began)
	}
	back, err := s.server.Allow(location, hostID)
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(back, "?")
	flow, _, _ := strings.Cut(began.Cookies[0], ";")
	ended := ask("GET", connect.CallbackPath, query, "first=1", flow, "last=2")
	if ended.StatusCode != http.StatusSeeOther || len(ended.Cookies) != 1 {
		t.Fatalf("%+v", ended)
	}
	account, attributes, _ := strings.Cut(ended.Cookies[0], ";")
	if !strings.HasPrefix(account, "__Host-account-123456=") || attributes != " Path=/; Max-Age=34560000; HttpOnly; Secure; SameSite=Lax" {
		t.Errorf("the cookie is %s", ended.Cookies[0])
	}
	for name := range ended.Headers {
		if strings.EqualFold(name, "set-cookie") {
			t.Error("a cookie among the headers, where there is room for one only")
		}
	}
	_, query, _ = strings.Cut(ended.Headers["Location"], "?")
	result := ask("GET", connect.ResultPath, query, flow, account)
	if result.StatusCode != http.StatusOK || !strings.Contains(result.Body, "Disconnect this account") || result.IsBase64Encoded {
		t.Errorf("both cookies do not arrive: %+v", result)
	}
	for path, status := range map[string]int{connect.ConnectPath: 200, connect.CallbackPath: 200, connect.ResultPath: 200, connect.LeavePath: 200, "/nothing": 404} {
		if head := ask("HEAD", path, code); head.StatusCode != status || len(head.Cookies) > 0 {
			t.Errorf("HEAD %s: %+v", path, head)
		}
	}
}
