package dev.muelle.region.command;

import dev.muelle.region.doctor.Doctor;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Says what this machine has and lacks. */
@Command(
    name = "doctor",
    description = "Says what this machine has and lacks, and the command that mends it.",
    mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {

  @Option(names = "--port", defaultValue = "4566", description = "default: ${DEFAULT-VALUE}")
  private int port = 4566;

  @Override
  public Integer call() {
    Doctor.Report report = new Doctor(port).report();
    report.lines().forEach(System.out::println);
    return report.ready() ? 0 : 1;
  }
}
