#!/usr/bin/env bash
# Made nlmon.pcap and nlmon.pcapng: what `ip`, `genl` and `ss` say to Linux 6.12.117 (Debian) and
# what it answers, as the device nlmon shows it.
#
#     bash nlmon.sh DIRECTORY
#
# as root of a machine of your own: it makes links. It needs the modules nlmon, dummy and vxlan,
# iproute2, tcpdump (here 4.99.3), dumpcap (4.0.17) and python3.
cd "$1"
ip link add nlmon0 type nlmon && ip link set nlmon0 up || exit

# pcap, in ns: requests and answers, a dump, an event, errors that speak.
tcpdump --time-stamp-precision=nano -Uni nlmon0 -w nlmon.pcap &
capture=$!
sleep 3
ip -o monitor route >events.log &
monitor=$!
sleep 1
ip link add d0 address 02:00:00:00:00:01 mtu 1400 type dummy
ip addr add 192.0.2.1/24 dev d0
ip link set d0 up
ip route add 198.51.100.0/24 via 192.0.2.2 dev d0 mtu 1300
ip route add 203.0.113.0/24 via 10.255.0.1 dev d0                # no such gateway
ip link add vx0 address 01:00:00:00:00:01 type vxlan id 7        # the error names an attribute
ip -4 addr show dev d0
ip route get 198.51.100.9
kill $monitor
sleep 1
kill -INT $capture
wait

# pcapng: two interfaces, one of another link type; several protocols.
ip link set lo up
dumpcap -q -i lo -i nlmon0 -a duration:12 -w nlmon.pcapng &
sleep 6
echo datagram >/dev/udp/127.0.0.1/9
ip rule add from 192.0.2.0/24 table 100 pref 1000
ip rule del pref 1000
ip nexthop add id 7 blackhole
ip link property add dev d0 altname another-name
genl ctrl get name nlctrl
ip xfrm state count
ss -tln
wait
