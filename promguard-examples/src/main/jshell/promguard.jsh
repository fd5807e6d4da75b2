import dev.promguard.*;
import dev.promguard.blueprint.*;
import dev.promguard.digitalocean.*;
import dev.promguard.keys.*;
import dev.promguard.ssh.*;
import dev.promguard.examples.localcloud.*;
import java.nio.file.*;
import java.time.Duration;
System.out.println("PromGuard is imported. Try: Mesh.builder().monitor(\"tor1\").nodes(3).blueprint()");
