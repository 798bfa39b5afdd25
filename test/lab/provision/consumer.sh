# Runs in the template before it is frozen as a consumer.
set -eu
systemctl --quiet disable rtslib-fb-targetctl.service
sync
