package net

import "github.com/eddyio/eddy/sockets"

// isMultipath gets MPTCP_INFO (since Linux 5.16), which only Multipath TCP
// sockets that have not fallen back to TCP have.
func isMultipath(sys sockets.Calls, fd int) bool {
	const solMPTCP, mptcpInfo = 284, 1
	_, err := sys.GetInt(fd, solMPTCP, mptcpInfo)
	return err == nil
}
