package net

import "github.com/eddyio/eddy/sockets"

// isMultipath asks for what only the sockets of Multipath TCP that have not fallen
// back to TCP can tell (MPTCP_INFO), since Linux 5.16.
func isMultipath(sys sockets.Calls, fd int) bool {
	const solMPTCP, mptcpInfo = 284, 1
	_, err := sys.GetInt(fd, solMPTCP, mptcpInfo)
	return err == nil
}
