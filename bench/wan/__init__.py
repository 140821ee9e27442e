"""A line that lags and loses, between two network namespaces of our own.

line.c     the emulator: packets between two tun devices, with delay, loss, rate and a queue
line       namespaces, devices, routes; bytes on the wire, counted by the kernel
scenarios  loads over three lines; BBR apart          republish  v002 shares most of its frames with v001
"""
