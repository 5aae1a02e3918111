package dev.muelle.region.command;

import dev.muelle.region.DataDirectory.Running;
import dev.muelle.region.RootKey;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prints what the shell's AWS tools need. */
@Command(
    name = "env",
    description = "Prints endpoint, region and keys for the shell: eval \"$(./muelle env)\"",
    mixinStandardHelpOptions = true)
final class EnvCommand implements Callable<Integer> {

  @Mixin private DataOption data = new DataOption();

  @Option(names = "--region", defaultValue = "us-east-1", description = "default: ${DEFAULT-VALUE}")
  private String region = "us-east-1";

  @Override
  public Integer call() throws Exception {
    Running running = data.running();
    RootKey key = data.key();
    System.out.printf(
        """
        export AWS_ENDPOINT_URL=%s
        export AWS_DEFAULT_REGION=%s
        export AWS_REGION=%s
        export AWS_ACCESS_KEY_ID=%s
        export AWS_SECRET_ACCESS_KEY=%s
        export AWS_PAGER=
        # Who signs the certificates that ACM issues here: curl --cacert "$MUELLE_CA_BUNDLE" https://...
        # (AWS_CA_BUNDLE and the like would replace all other authorities in this shell, so they are left alone.)
        export MUELLE_CA_BUNDLE='%s'
        unset AWS_SESSION_TOKEN AWS_PROFILE
        %s        # aws before 2.13 (Debian 12's is one) does not read AWS_ENDPOINT_URL, so it is told:
        if ! aws --version 2>/dev/null | grep -qE '^aws-cli/(2\\.(1[3-9]|[2-9][0-9])|1\\.(29|[3-9][0-9])|[3-9])'; then
          aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }
          [ -z "${BASH_VERSION:-}" ] || export -f aws # for scripts that are run from this shell
        fi
        """,
        running.endpoint(),
        region,
        region,
        key.id(),
        key.secret(),
        data.directory().authorityCertificate(),
        running.time().map(told -> "# " + told + "\n").orElse(""));
    return 0;
  }
}
