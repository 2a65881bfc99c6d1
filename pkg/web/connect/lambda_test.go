package connect_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"github.com/ownerrez-lambda/ownerrez-lambda/pkg/account/connect"
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
	location := began.Headers["Location"] + strings.Join(began.MultiValueHeaders["Location"], "")
	if began.StatusCode != http.StatusSeeOther || !strings.HasPrefix(location, s.at+"/") {
		t.Fatalf("%+v", began)
	}
	if strings.Contains(location, "api.example.com") {
		t.Error("the redirect URI is made of the Host header")
	}
	cookies := setCookies(began)
	if len(cookies) != 1 {
		t.Fatalf("%+v", began)
	}
	back, err := s.server.Allow(location, hostID)
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(back, "?")
	pair, _, _ := strings.Cut(cookies[0], ";")
	ended := ask("GET", connect.CallbackPath, query, "first=1", pair, "last=2")
	if ended.StatusCode != http.StatusSeeOther || len(setCookies(ended)) != 1 {
		t.Fatalf("%+v", ended)
	}
	if head := ask("HEAD", connect.ConnectPath, code); head.StatusCode != http.StatusOK {
		t.Errorf("%+v", head)
	}
}

// setCookies are the cookies of a response, wherever they are.
func setCookies(resp events.APIGatewayV2HTTPResponse) []string {
	all := slices.Clone(resp.Cookies)
	if len(all) == 0 && resp.Headers["Set-Cookie"] != "" {
		all = append(all, resp.Headers["Set-Cookie"])
	}
	return all
}
