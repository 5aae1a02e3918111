package dev.muelle.region.command;

import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.time.Clock;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/** All commands. */
@Command(
    name = "./muelle",
    description = "A private container region that speaks Amazon's own APIs.",
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true,
    subcommands = {
      DemoCommand.class,
      UpCommand.class,
      DownCommand.class,
      EnvCommand.class,
      TimeCommand.class,
      DoctorCommand.class,
      ExampleCommand.class,
      SimulateCommand.class,
      EscaladoCommand.class,
      RehearseCommand.class,
      HelpCommand.class
    },
    footer = {
      "",
      "Also: ./muelle build (the others do it by themselves), ./muelle test (the whole test suite),"
          + " ./muelle bench, ./muelle format."
    })
final class CommandLineRoot implements Callable<Integer> {

  /** What a sentence to the person who runs us starts with. */
  static final String SAYS = "muelle: ";

  private CommandLineRoot() {}

  /** Runs a command and gives the exit code: 0 done, 1 could not, 2 bad usage. */
  static int run(String... args) {
    return tellingWhy(new CommandLine(new CommandLineRoot(), new Factory(Clock.systemUTC())))
        .execute(args);
  }

  /** What a command throws becomes a sentence and the exit code 1. */
  static CommandLine tellingWhy(CommandLine line) {
    return line.setExecutionExceptionHandler((problem, command, parsed) -> {
      command.getErr().println(SAYS + sentence(problem));
      return 1;
    });
  }

  @Override
  public Integer call() {
    CommandLine.usage(this, System.out);
    return 0;
  }

  /** What a person can use: the message, and where there is none the kind of problem. */
  private static String sentence(Throwable problem) {
    String message = problem.getMessage();
    return switch (problem) {
      case FileAlreadyExistsException e -> e.getFile() + " is in the way: it is no directory.";
      case AccessDeniedException e -> e.getFile() + ": permission denied.\n  sudo ./muelle …";
      case NoSuchFileException e -> e.getFile() + " does not exist.";
      default -> message == null ? problem.toString() : message;
    };
  }

  /** Gives the commands the clock, the one ambient thing that starts here. */
  private record Factory(Clock clock) implements CommandLine.IFactory {
    @Override
    public <K> K create(Class<K> type) throws Exception {
      try {
        return type.getDeclaredConstructor(Clock.class).newInstance(clock);
      } catch (NoSuchMethodException e) {
        return CommandLine.defaultFactory().create(type);
      }
    }
  }
}
