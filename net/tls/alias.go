package tls

import (
	"crypto/tls"
	"crypto/x509"
)

// Names of crypto/tls, so that a program need not import both packages.
type (
	Config                       = tls.Config
	Certificate                  = tls.Certificate
	ConnectionState              = tls.ConnectionState
	ClientHelloInfo              = tls.ClientHelloInfo
	CertificateRequestInfo       = tls.CertificateRequestInfo
	CertificateVerificationError = tls.CertificateVerificationError
	ClientAuthType               = tls.ClientAuthType
	ClientSessionCache           = tls.ClientSessionCache
	RecordHeaderError            = tls.RecordHeaderError
)

const (
	VersionTLS12 = tls.VersionTLS12
	VersionTLS13 = tls.VersionTLS13

	NoClientCert               = tls.NoClientCert
	RequestClientCert          = tls.RequestClientCert
	RequireAnyClientCert       = tls.RequireAnyClientCert
	VerifyClientCertIfGiven    = tls.VerifyClientCertIfGiven
	RequireAndVerifyClientCert = tls.RequireAndVerifyClientCert
)

// LoadX509KeyPair reads a certificate and its key from two PEM files, as
// crypto/tls's does.
func LoadX509KeyPair(certFile, keyFile string) (Certificate, error) {
	return tls.LoadX509KeyPair(certFile, keyFile)
}

// X509KeyPair is like [LoadX509KeyPair], for the contents of the files.
func X509KeyPair(certPEM, keyPEM []byte) (Certificate, error) {
	return tls.X509KeyPair(certPEM, keyPEM)
}

// NewLRUClientSessionCache makes a cache for Config.ClientSessionCache, as
// crypto/tls's does.
func NewLRUClientSessionCache(capacity int) ClientSessionCache {
	return tls.NewLRUClientSessionCache(capacity)
}

// NewCertPool makes an empty set of certificates, for Config.RootCAs and
// Config.ClientCAs, as crypto/x509's does.
func NewCertPool() *x509.CertPool { return x509.NewCertPool() }
