-- CreateTable
CREATE TABLE "public_port" (
    "id" SERIAL NOT NULL,
    "project_id" INTEGER NOT NULL,
    "host_id" INTEGER NOT NULL,
    "vm_id" INTEGER NOT NULL,
    "protocol" TEXT NOT NULL,
    "host_port" INTEGER NOT NULL,
    "guest_port" INTEGER NOT NULL,
    "created_at" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "public_port_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "public_port_project_id_idx" ON "public_port"("project_id");

-- CreateIndex
CREATE INDEX "public_port_vm_id_idx" ON "public_port"("vm_id");

-- CreateIndex
CREATE UNIQUE INDEX "public_port_host_id_protocol_host_port_key" ON "public_port"("host_id", "protocol", "host_port");

-- AddForeignKey
ALTER TABLE "public_port" ADD CONSTRAINT "public_port_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "project"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "public_port" ADD CONSTRAINT "public_port_host_id_fkey" FOREIGN KEY ("host_id") REFERENCES "host"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "public_port" ADD CONSTRAINT "public_port_vm_id_fkey" FOREIGN KEY ("vm_id") REFERENCES "vm"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
