package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// The one page of the internet that the suite's tests load, to read the first
// two words of it.
const (
	webHost = "raw.githubusercontent.com"
	webPath = "/moby/moby/v20.10.21/README.md"
	webPage = "The Moby Project\n"
)

// webCommand is the argument that makes this program a stand-in for webHost.
const webCommand = "stand-in-web"

// webCertificates and webHosts are the files that serveWeb writes to its folder:
// what to trust, and where webHost is.
const (
	webCertificates = "ca.pem"
	webHosts        = "hosts"
)

// serveWeb serves webPage as https://webHost on the loopback interface, in the
// namespaces of one invocation of the suite. It says "ready" to out once it
// listens, and does not return.
func serveWeb(dir string, out io.Writer) error {
	cert, err := selfSigned(webHost)
	if err != nil {
		return err
	}
	trust := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	if err := os.WriteFile(filepath.Join(dir, webCertificates), trust, 0o644); err != nil {
		return err
	}
	hosts := "127.0.0.1 localhost " + webHost + "\n"
	if err := os.WriteFile(filepath.Join(dir, webHosts), []byte(hosts), 0o644); err != nil {
		return err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:443", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+webPath, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, webPage) // a client that went away is no concern
	})
	if _, err := fmt.Fprintln(out, "ready"); err != nil {
		return err
	}
	return http.Serve(l, mux)
}

// selfSigned makes a certificate for host that is its own authority.
func selfSigned(host string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "stand-in for " + host},
		DNSNames:              []string{host},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
