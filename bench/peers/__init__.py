"""What studios use otherwise, each with the command line that suits it best. `python` and `node` ones are in .bench.

copying    cp: no net at all, the floor      web      nginx and curl, clear and TLS     mirror   rsync: daemon, ssh
party      copyparty and u2c                 tus      the tus server and its clients    drive    rclone over WebDAV
ftp        pyftpdlib and curl
"""
